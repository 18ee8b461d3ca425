import { TextDecoder } from "node:util";
import type { BodyPiece, BodyTransform } from "@proxy/forwarder";
import type { HeaderList } from "@proxy/http";

/** Whether a media type, in lower case and without parameters, is among those that a transform is for. */
export type MediaTypes = (type: string) => boolean;

const range = /^(?:\*|[!#$%&'+.^_`|~0-9a-z-]+)\/(?:\*|\*?[!#$%&'+.^_`|~0-9a-z-]+)$/;
const charsetParameter = /(;\s*charset\s*=\s*)(?:"([^"\\]*)"|([^\s;"]*))/i;
const asIs: ReadonlySet<string> = new Set(["utf-8", "utf8", "us-ascii", "ascii"]);

/** What people read or programs write as text. */
export const textTypes = "text/*;application/json;application/javascript;application/xml;*/*+json;*/*+xml";
export const jsonTypes = "application/json;*/*+json";

/** Reads a list of types, joined by `;`, with stars for either part or before `+json`; undefined when it is none. */
export function mediaTypes(text: string): MediaTypes | undefined {
  const ranges = text.toLowerCase().split(";").map((each) => each.trim()).filter((each) => each !== "");
  if (ranges.length === 0 || !ranges.every((each) => range.test(each))) return undefined;
  const exact = new Set(ranges.filter((each) => !each.includes("*")));
  const wild = ranges.filter((each) => each.includes("*")).map((each) => {
    const star = each.endsWith("/*") ? each.slice(0, -1) : each.slice(1);
    if (each === "*/*") return () => true;
    // `text/*` is a beginning, `*/*+json` an end.
    return each.endsWith("/*") ? (type: string) => type.startsWith(star) : (type: string) => type.endsWith(star.replace(/^\/\*/, ""));
  });
  return (type) => exact.has(type) || wild.some((holds) => holds(type));
}

/**
 * Whether a message is of such a type. Of several that it names (which is a fault: RFC 9110, 8.3) any counts: who sends it is not to choose
 * between them.
 */
export function isOfType(headers: HeaderList, types: MediaTypes): boolean {
  for (let i = headers.indexOf("content-type"); i >= 0; i = headers.indexOf("content-type", i + 1)) {
    const value = headers.valueAt(i);
    if (types(withoutParameters(value)) || (value.includes(",") && value.split(",").some((each) => types(withoutParameters(each))))) return true;
  }
  return !headers.has("content-type") && types("");
}

function withoutParameters(value: string): string {
  const semicolon = value.indexOf(";");
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}

/**
 * Sees to it that a text goes on in UTF-8: undefined when it is already (or says nothing), otherwise what makes it so, and `Content-Type` in
 * `headers` says so. Gives null for a charset that nobody knows.
 */
export function toUtf8(headers: HeaderList): BodyTransform | undefined | null {
  const index = headers.indexOf("content-type");
  const value = index < 0 ? "" : headers.valueAt(index);
  const match = charsetParameter.exec(value);
  const charset = (match?.[2] ?? match?.[3] ?? "").toLowerCase();
  if (charset === "" || asIs.has(charset)) return undefined;
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset);
  } catch {
    return null;
  }
  headers.setValueAt(index, value.replace(charsetParameter, "$1utf-8"));
  return new Transcoding(decoder);
}

class Transcoding implements BodyTransform {
  readonly #decoder: TextDecoder;

  constructor(decoder: TextDecoder) {
    this.#decoder = decoder;
  }

  chunk(chunk: Uint8Array): BodyPiece {
    return Buffer.from(this.#decoder.decode(chunk, { stream: true }));
  }

  end(): BodyPiece {
    return Buffer.from(this.#decoder.decode());
  }
}
