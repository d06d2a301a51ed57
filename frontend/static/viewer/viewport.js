// Which part of a picture is looked at: how many times larger than all of it, and around which
// point, in shares of its width and height. Several pictures share one, and so move together.

export const MOST = 32;

export class Viewport extends EventTarget {
  constructor() {
    super();
    this.zoom = 1;
    this.x = 0.5;
    this.y = 0.5;
    // Shares of the picture that are in sight at zoom 1; more than 1 where there is room beside it.
    this.across = 1;
    this.down = 1;
  }

  fit(across, down) {
    this.across = across;
    this.down = down;
    this.#changed();
  }

  move(x, y) {
    this.x += x / this.zoom;
    this.y += y / this.zoom;
    this.#changed();
  }

  // Enlarge `times` around the point (x, y), which stays where it is.
  scale(times, x = this.x, y = this.y) {
    const zoom = Math.min(Math.max(this.zoom * times, 1), MOST);
    const part = this.zoom / zoom;
    this.x = x + (this.x - x) * part;
    this.y = y + (this.y - y) * part;
    this.zoom = zoom;
    this.#changed();
  }

  reset() {
    this.zoom = 1;
    this.#changed();
  }

  #changed() {
    this.x = kept(this.x, this.across / this.zoom);
    this.y = kept(this.y, this.down / this.zoom);
    this.dispatchEvent(new Event("change"));
  }
}

// The middle stays where it is while all is in sight; else the picture fills what there is.
function kept(middle, share) {
  if (share >= 1) return 0.5;
  return Math.min(Math.max(middle, share / 2), 1 - share / 2);
}
