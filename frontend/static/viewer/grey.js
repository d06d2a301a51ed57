// The grey levels of a picture, and how they are shown: window, level, inverted.

export const FULL = { width: 255, level: 127.5, inverted: false };

export class Greys extends EventTarget {
  constructor() {
    super();
    Object.assign(this, FULL);
  }

  set(values) {
    Object.assign(this, values);
    this.width = Math.min(Math.max(this.width, 2), 510);
    this.level = Math.min(Math.max(this.level, 0), 255);
    this.dispatchEvent(new Event("change"));
  }

  reset() {
    this.set(FULL);
  }

  // What each of 256 levels is shown as: (g - level) / width + 0.5, cut off at black and white.
  table() {
    const shown = new Uint8ClampedArray(256);
    for (let grey = 0; grey < 256; grey += 1) {
      const value = ((grey - this.level) / this.width + 0.5) * 255;
      shown[grey] = this.inverted ? 255 - value : value;
    }
    return shown;
  }
}

// A picture's pixels, and a canvas of its size with them as `greys` show them.
export class Picture {
  constructor(image) {
    this.canvas = document.createElement("canvas");
    this.canvas.width = image.naturalWidth;
    this.canvas.height = image.naturalHeight;
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.drawImage(image, 0, 0);
    this.data = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    const bytes = this.data.data;
    this.levels = new Uint8Array(bytes.length / 4);
    for (let at = 0; at < this.levels.length; at += 1) this.levels[at] = bytes[4 * at];
  }

  static async from(address) {
    const image = new Image();
    image.src = address;
    await image.decode();
    return new Picture(image);
  }

  // A rectangle of the levels as they arrived.
  part(left, top, width, height) {
    const found = new ImageData(width, height);
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1) {
        const level = this.levels[(top + row) * this.canvas.width + left + column] ?? 0;
        const at = 4 * (row * width + column);
        found.data.fill(level, at, at + 3);
        found.data[at + 3] = 255;
      }
    }
    return found;
  }

  paint(greys) {
    const shown = greys.table();
    const bytes = this.data.data;
    for (let at = 0; at < this.levels.length; at += 1) {
      const value = shown[this.levels[at]];
      bytes[4 * at] = value;
      bytes[4 * at + 1] = value;
      bytes[4 * at + 2] = value;
    }
    this.context.putImageData(this.data, 0, 0);
  }
}
