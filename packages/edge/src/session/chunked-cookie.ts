/**
 * A value in one cookie, or in several where it is larger than browsers keep: then the first says `chunks-N`, and `nameC1` to `nameCN` hold the parts, as
 * in ASP.NET Core. Values are Base64url, so that `chunks-` is never one.
 */
import type { HeaderList } from "@proxy/http";
import { clearCookieLine, setCookieLine, type CookieAttributes } from "./cookie-attributes.ts";
import { requestCookies } from "./request-cookies.ts";

/** Characters of a part: browsers keep 4096 bytes for name, value and attributes together. */
const partSize = 3600;
const most = 16;
const head = /^chunks-([1-9]\d?)$/;
const valuePattern = /^[\w-]+$/;

export class ChunkedCookie {
  readonly #attributes: CookieAttributes;
  readonly #largest: number;

  /** `largest`: characters of a value; longer ones are neither written nor read. */
  constructor(attributes: CookieAttributes, largest: number) {
    this.#attributes = attributes;
    this.#largest = Math.min(largest, partSize * most);
  }

  /** Whether a cookie of that name is this one or a part of it. */
  isOwn(name: string): boolean {
    const own = this.#attributes.name;
    if (!name.startsWith(own)) return false;
    return name.length === own.length || /^C[1-9]\d?$/.test(name.slice(own.length));
  }

  /** The value; undefined when there is none, a part is missing or comes twice, or it is too large. */
  read(headers: HeaderList): string | undefined {
    const found = this.#found(headers);
    const { name } = this.#attributes;
    const first = found.get(name);
    if (first === undefined || first === several) return undefined;
    const count = Number(head.exec(first)?.[1] ?? 0);
    if (count === 0) return this.#checked(first);
    if (count > most) return undefined;
    let value = "";
    for (let part = 1; part <= count; part++) {
      const next = found.get(`${name}C${part}`);
      if (next === undefined || next === several) return undefined;
      value += next;
    }
    return this.#checked(value);
  }

  /** Whether the client sent anything of it. */
  isSent(headers: HeaderList): boolean {
    return this.#found(headers).size > 0;
  }

  /** Set-Cookie lines for `value`, with those that clear parts which `headers` has beyond them; undefined when it is too large. */
  write(headers: HeaderList, value: string, maxAge?: number): readonly string[] | undefined {
    if (value.length > this.#largest) return undefined;
    const { name } = this.#attributes;
    const values = new Map<string, string>();
    if (value.length <= partSize) values.set(name, value);
    else {
      const count = Math.ceil(value.length / partSize);
      values.set(name, `chunks-${count}`);
      for (let part = 0; part < count; part++) values.set(`${name}C${part + 1}`, value.slice(part * partSize, (part + 1) * partSize));
    }
    const lines = [...values].map(([each, text]) => setCookieLine({ ...this.#attributes, name: each }, text, maxAge));
    return [...lines, ...this.#clear([...this.#found(headers).keys()].filter((each) => !values.has(each)))];
  }

  /** Set-Cookie lines that have the client forget all that it sent of it. */
  clear(headers: HeaderList): readonly string[] {
    return this.#clear([...this.#found(headers).keys()]);
  }

  #clear(names: readonly string[]): readonly string[] {
    return names.map((name) => clearCookieLine({ ...this.#attributes, name }));
  }

  #checked(value: string): string | undefined {
    return value.length <= this.#largest && valuePattern.test(value) ? value : undefined;
  }

  #found(headers: HeaderList): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const [name, value] of requestCookies(headers)) if (this.isOwn(name)) found.set(name, found.has(name) ? several : value);
    return found;
  }
}

/** Stands for values of a cookie that came more than once: no value has a blank. */
const several = " ";
