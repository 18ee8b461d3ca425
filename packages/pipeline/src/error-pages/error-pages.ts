import type { ErrorPageConfig } from "@proxy/config";
import { isHeaderValue, type RequestHead } from "@proxy/http";
import { contentTypeOf, readBodyFile } from "../body-file.ts";
import { accepts } from "./accepted-type.ts";

/** A page as it goes out. */
export interface ErrorPage {
  readonly contentType: string;
  readonly body: Uint8Array;
}

interface CompiledPage extends ErrorPage {
  readonly ranges: readonly (readonly [low: number, high: number])[];
  /** The media type alone, in lower case. */
  readonly type: string;
  readonly intercept: boolean;
}

/** What is wrong with a page: which member of it, and why. */
export type ErrorPageFault = (path: readonly (string | number)[], message: string) => void;

/**
 * Pages for answers with a status from 400 on. The first one for the status whose type the client takes is sent; where there is none, the
 * answer stays without.
 */
export class ErrorPages {
  readonly #pages: readonly CompiledPage[];
  /** Whether the page for a status may depend on what a client takes. */
  readonly negotiated: boolean;

  constructor(pages: readonly CompiledPage[]) {
    this.#pages = pages;
    this.negotiated = pages.length > 1;
  }

  /** `ofDestination`: the answer that it would take the place of comes from a destination. */
  find(status: number, request: RequestHead, ofDestination: boolean): ErrorPage | undefined {
    for (const page of this.#pages) {
      if (ofDestination && !page.intercept) continue;
      if (page.ranges.some(([low, high]) => status >= low && status <= high) && accepts(request.headers, page.type)) return page;
    }
    return undefined;
  }

  /** These, and then those of `others`. */
  before(others: ErrorPages | undefined): ErrorPages {
    return others === undefined ? this : new ErrorPages([...this.#pages, ...others.#pages]);
  }
}

/** Prepares pages; files are read here, once. Undefined for none. What is wrong goes to `report`. */
export function compileErrorPages(configured: readonly ErrorPageConfig[] | undefined, report: ErrorPageFault): ErrorPages | undefined {
  const pages = (configured ?? []).flatMap((page, index) => compile(page, (path, message) => report([index, ...path], message)) ?? []);
  return pages.length === 0 ? undefined : new ErrorPages(pages);
}

function compile(page: ErrorPageConfig, report: ErrorPageFault): CompiledPage | undefined {
  // Not by its type, but configurations also come from files and from code without types.
  const { status = "", body, bodyFile, contentType = contentTypeOf(bodyFile), intercept = false } = (page ?? {}) as Partial<ErrorPageConfig>;
  const ranges = rangesOf(status);
  if (ranges === undefined) report(["Status"], `'${status}' names no statuses from 400 on, as 4xx, 404 or 500-504 do`);
  const type = (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
  const isType = isHeaderValue(contentType) && /^[^/\s]+\/[^/\s]+$/.test(type);
  if (!isType) report(["ContentType"], "ContentType is no media type");
  if ((body === undefined) === !bodyFile) report(["Body"], "a page has either a Body or a BodyFile");
  const bytes = bodyFile ? readBodyFile(bodyFile, (message) => report(["BodyFile"], message)) : Buffer.from(body ?? "");
  if (ranges === undefined || !isType || bytes === undefined) return undefined;
  return { ranges, type, intercept, contentType, body: bytes };
}

function rangesOf(text: string): CompiledPage["ranges"] | undefined {
  const ranges = text.split(",").map((part): readonly [number, number] => {
    const match = /^(?:([45])xx|([45]\d\d)(?:-([45]\d\d))?)$/i.exec(part.trim());
    if (match === null) return [1, 0];
    const [, group, low, high] = match;
    return group === undefined ? [Number(low), Number(high ?? low)] : [Number(group) * 100, Number(group) * 100 + 99];
  });
  return ranges.every(([low, high]) => low <= high) ? ranges : undefined;
}
