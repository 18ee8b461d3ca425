/** What is wrong with one transform. */
export interface TransformFault {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly severity: "error" | "warning";
}

/** One transform as configured, read without regard to the case of its keys, and what is wrong with it. */
export class TransformSettings {
  /** The key of the form, as the factory spells it. */
  readonly form: string;
  readonly #configured: Readonly<Record<string, string>>;
  readonly #values: ReadonlyMap<string, string>;
  readonly #faults: TransformFault[];

  constructor(form: string, configured: Readonly<Record<string, string>>, faults: TransformFault[]) {
    this.form = form;
    this.#configured = configured;
    this.#values = new Map(Object.entries(configured).map(([key, value]) => [key.toLowerCase(), value]));
    this.#faults = faults;
  }

  /** The value of the form's own key. */
  get value(): string {
    return this.get(this.form) ?? "";
  }

  /** The keys as configured. */
  get keys(): readonly string[] {
    return Object.keys(this.#configured);
  }

  get(key: string): string | undefined {
    return this.#values.get(key.toLowerCase());
  }

  report(code: string, message: string, hint?: string): void {
    this.#faults.push({ code, message, hint, severity: "error" });
  }

  /** Says what is of no use and breaks nothing. */
  warn(code: string, message: string, hint?: string): void {
    this.#faults.push({ code, message, hint, severity: "warning" });
  }

  /** Reports keys other than the form's own and `others`; false when there are some. */
  only(...others: readonly string[]): boolean {
    const known = new Set([this.form, ...others].map((key) => key.toLowerCase()));
    const surplus = Object.keys(this.#configured).filter((key) => !known.has(key.toLowerCase()));
    if (surplus.length === 0) return true;
    const hint = others.length === 0 ? "it takes no other key" : `it takes ${others.join(", ")}`;
    this.report("too-many-parameters", `transform '${this.form}' does not take ${surplus.join(", ")}`, hint);
    return false;
  }

  /** `Set` or `Append` beside `others`, the first of `preference` when both are given; reports when none is. */
  setOrAppend(
    preference: "Set" | "Append",
    ...others: readonly string[]
  ): { readonly append: boolean; readonly value: string } | undefined {
    const set = this.get("Set");
    const append = this.get("Append");
    if (set === undefined && append === undefined) {
      const given = Object.keys(this.#configured).filter((key) => key.toLowerCase() !== this.form.toLowerCase());
      const hint = given.length === 0 ? undefined : `it has ${given.join(", ")}`;
      this.report("missing-set-or-append", `transform '${this.form}' needs Set or Append`, hint);
      return undefined;
    }
    if (!this.only("Set", "Append", ...others)) return undefined;
    const appends = append !== undefined && (set === undefined || preference === "Append");
    return { append: appends, value: (appends ? append : set) ?? "" };
  }

  /** The form's value as true or false, in any case; reports anything else. */
  boolean(): boolean | undefined {
    const text = this.value.toLowerCase();
    if (text === "true" || text === "false") return text === "true";
    this.report("not-a-boolean", `transform '${this.form}' takes true or false, not '${this.value}'`);
    return undefined;
  }
}
