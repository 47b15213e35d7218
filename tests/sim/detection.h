#pragma once
// Detection: how soon a dead path is noticed and how often a living one is cut, by our rules and
// by the network's own, on the same traces of the TCP model (issue 3, "Failure detection").

#include <iosfwd>

namespace timectl::sim {

int detect(std::ostream& out);
// The silences of the TCP model beside those that faults.md measured on real sockets.
int silences(std::ostream& out);

}  // namespace timectl::sim
