import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
import type { Combination } from "./combination.ts";
import type { SentRequest, SentResponse } from "./messages.ts";

const answer: SentResponse = { status: 200, reason: "OK", headers: [], trailers: undefined };

/** Why a case cannot be asked; undefined when it can. */
export function pathNotOnTheWire({ given }: ConformanceCase): string | undefined {
  return given.kind === "address" && given.path === "" ? "no request has an empty path" : undefined;
}

/** The tables tell decoded paths; a client sends them encoded, and a gateway never decodes one. */
export async function pathArrives({ given, expect: expected }: ConformanceCase, wire: Combination): Promise<void> {
  const base = given.kind === "encode" ? "" : (/^https?:\/\/[^/]+(.*)$/u.exec(given.prefix)?.[1] as string);
  const target = given.kind === "encode" ? expected.encoded : encodeURI(given.path) + given.query;
  const { response, requests, outcomes } = await wire.play(requestFor(target), answer, {}, base);
  expect([response.status, outcomes]).toEqual([200, [undefined]]);
  expect(requests.map((request) => request.target)).toEqual([given.kind === "encode" ? target : pathOf(expected.url)]);
}

/** `%00`, which C programs take for the end of the text. */
export const pathIsRefused = {
  reason: "refused by the front server, %00",
  applies: ({ expect: expected }: ConformanceCase): boolean => expected.encoded?.includes("%00") === true,
  play: async ({ expect: expected }: ConformanceCase, wire: Combination): Promise<void> => {
    const { response, requests } = await wire.play(requestFor(expected.encoded), answer, {});
    expect([response.status, requests]).toEqual([400, []]);
  },
};

function requestFor(target: string): SentRequest {
  return { method: "GET", target, authority: "client.example", headers: [], body: "", hasBody: false };
}

/** What follows scheme and authority. */
function pathOf(url: string): string {
  return url.slice(url.indexOf("/", url.indexOf("//") + 2));
}
