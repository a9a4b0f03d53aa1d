/**
 * `hublease.wasm`: two functions from text to text, called by the canonical ABI of `module/wit/world.wit`.
 *
 * Its imports are refused, but for the text of a panic. So it can open no file, no socket and no variable; all that it
 * can do is ask.
 */
const fs = process.getBuiltinModule('node:fs');

const INTERFACE = 'hublease:action/session@0.1.0';
/** What preview1 answers to a refused call: ENOSYS, and EBADF for a descriptor. */
const REFUSED = 52;
const NO_DESCRIPTOR = 8;
/** How much is kept of what a panic says, in characters; it names a place in the source. */
const PANIC = 1024;

/** One instance. After a trap it is good for nothing but {@link Module.panic}. */
export class Module {
  #exports;
  /** What a panic said. */
  panic = '';

  constructor() {
    const module = new WebAssembly.Module(fs.readFileSync(new URL('hublease.wasm', import.meta.url)));
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] = name === 'fd_write' ? (...words) => this.#hear(...words) : () => REFUSED;
    }
    this.#exports = new WebAssembly.Instance(module, imports).exports;
    this.#exports._initialize?.();
  }

  /** @param {'begin' | 'advance'} name @param {...string} texts @returns {any} the answer, parsed */
  call(name, ...texts) {
    const { memory, cabi_realloc: allocate } = this.#exports;
    const words = texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const pointer = allocate(0, 0, 1, bytes.length);
      // A call may grow the memory, which ends every view of it; so each view is made anew.
      new Uint8Array(memory.buffer).set(bytes, pointer);
      return [pointer, bytes.length];
    });
    const answer = this.#exports[`${INTERFACE}#${name}`](...words);
    const [pointer, length] = new Uint32Array(memory.buffer, answer, 2);
    const text = Buffer.from(memory.buffer, pointer, length).toString();
    this.#exports[`cabi_post_${INTERFACE}#${name}`](answer);
    return JSON.parse(text);
  }

  /** `fd_write`, for standard error alone. */
  #hear(descriptor, vectors, count, written) {
    if (descriptor !== 2) return NO_DESCRIPTOR;
    const { buffer } = this.#exports.memory;
    const pieces = new Uint32Array(buffer, vectors, 2 * count);
    let total = 0;
    for (let at = 0; at < pieces.length; at += 2) {
      const [start, length] = pieces.subarray(at, at + 2);
      this.panic = (this.panic + Buffer.from(buffer, start, length)).slice(0, PANIC);
      total += length;
    }
    new Uint32Array(buffer, written, 1)[0] = total;
    return 0;
  }
}
