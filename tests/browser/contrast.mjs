// The contrast of every text that is shown with what is behind it (WCAG 2: 4.5, large ones 3).

export function contrasts(page) {
  return page.evaluate(() => {
    const channels = (text) => {
      const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
      return { r, g, b, a };
    };
    const over = (top, under) => ({
      r: top.r * top.a + under.r * (1 - top.a),
      g: top.g * top.a + under.g * (1 - top.a),
      b: top.b * top.a + under.b * (1 - top.a),
      a: 1,
    });
    const light = ({ r, g, b }) =>
      [r, g, b]
        .map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
        .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => {
      const stack = [];
      for (let each = node; each; each = each.parentElement)
        stack.push(channels(getComputedStyle(each).backgroundColor));
      return stack
        .reverse()
        .reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
    };
    const low = [];
    let count = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      const node = text.parentElement;
      if (
        !text.data.trim() ||
        !node.checkVisibility({ visibilityProperty: true }) ||
        node.closest('.sr, .skip, noscript, option')
      )
        continue;
      ++count;
      const style = getComputedStyle(node);
      const behind = ground(node);
      const front = light(
        over(channels(node instanceof SVGElement ? style.fill : style.color), behind),
      );
      const back = light(behind);
      const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      const large =
        parseFloat(style.fontSize) >= 24 ||
        (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5))
        low.push(
          `${ratio.toFixed(2)} ${node.className?.baseVal ?? node.className} "${text.data.trim().slice(0, 30)}"`,
        );
    }
    return { count, low };
  });
}
