// All that is tested against the double, in one browser: to start another is slow.

import './page_test.mjs';
import './strain_test.mjs';
import './alerts_test.mjs';
import './tones_test.mjs';
import './fresh_test.mjs';
