/**
 * Lets many work at the same time, or one alone: who wants to be alone waits for those who are at work, and all who
 * come later wait for him.
 */
export class Gate {
  #working = 0;
  #isAlone = false;
  readonly #waiting: { readonly wantsAlone: boolean; readonly enter: () => void }[] = [];

  /** Begins at once, unless somebody is alone or waits to be; `leave` must be called when the work has ended. */
  enter(begin: (leave: () => void) => void): void {
    this.#ask(false, begin);
  }

  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const leave = await new Promise<() => void>((resolve) => {
      this.#ask(true, resolve);
    });
    try {
      return await work();
    } finally {
      leave();
    }
  }

  #ask(wantsAlone: boolean, begin: (leave: () => void) => void): void {
    const enter = () => {
      this.#working += 1;
      this.#isAlone = wantsAlone;
      begin(() => {
        this.#working -= 1;
        this.#isAlone = false;
        this.#admit();
      });
    };
    this.#waiting.push({ wantsAlone, enter });
    this.#admit();
  }

  #admit(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (this.#isAlone || (first.wantsAlone && this.#working > 0)) return;
      this.#waiting.shift();
      first.enter();
    }
  }
}
