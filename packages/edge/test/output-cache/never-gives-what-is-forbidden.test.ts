/**
 * Random conversations with a cache of mode `Http`, and what RFC 9111 and RFC 5861 say of each answer, told once more from the other side: whoever gave it, when, to whom, and
 * what was said of it.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import type { FakeCall } from "../../../pipeline/test/support/fake-client.ts";
// @boundaries-ignore as above
import { settled } from "../../../pipeline/test/support/fake-clock.ts";
import { cachedProxy, type Fields } from "./cached-proxy.ts";

interface Answer {
  readonly control: string;
  readonly vary: string;
  readonly tag: boolean;
  readonly age: number;
  readonly fails: boolean;
}

interface Ask {
  readonly kind: "get";
  readonly target: string;
  readonly language: string;
  readonly isAuthorized: boolean;
  readonly control: string;
  readonly answer: Answer;
}

type Action = Ask | { readonly kind: "wait"; readonly seconds: number } | { readonly kind: "change"; readonly target: string; readonly succeeds: boolean };

const answers = fc.record<Answer>({
  control: fc.constantFrom("", "max-age=10", "s-maxage=5, max-age=50", "public, max-age=10", "private, max-age=10", "no-store", "no-cache, max-age=10", "max-age=10, must-revalidate", "max-age=10, stale-while-revalidate=5", "max-age=10, stale-if-error=20", "max-age=0"),
  vary: fc.constantFrom("", "Accept-Language", "*"),
  tag: fc.boolean(),
  age: fc.constantFrom(0, 0, 4),
  fails: fc.nat(5).map((n) => n === 0),
});

const actions: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record<Ask>({ kind: fc.constant("get"), target: fc.constantFrom("/a", "/b"), language: fc.constantFrom("de", "fr"), isAuthorized: fc.nat(4).map((n) => n === 0), control: fc.constantFrom("", "", "", "no-cache", "max-age=3", "min-fresh=4", "max-stale=5", "no-store", "only-if-cached"), answer: answers }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(1, 3, 6, 11, 30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("change" as const), target: fc.constantFrom("/a", "/b"), succeeds: fc.boolean() }) },
);

/** What a destination gave. */
interface Given {
  readonly target: string;
  readonly language: string;
  isAuthorized: boolean;
  readonly requestControl: string;
  readonly answer: Answer;
  /** When it came, or was found to hold. Seconds. */
  at: number;
  /** Said then. */
  control: string;
  age: number;
  isChanged: boolean;
}

const number = (control: string, name: string): number | undefined => {
  const found = new RegExp(`(?:^|[ ,])${name}=(\\d+)`).exec(control);
  return found === null ? undefined : Number(found[1]);
};

function isAllowed(given: Given, ask: Ask, now: number, destinationFailed: boolean): string | undefined {
  const { answer, control } = given;
  if (given.target !== ask.target) return "another address";
  if (given.isChanged) return "changed meanwhile";
  if (/no-store|private/.test(control)) return "not to be kept";
  if (given.requestControl.includes("no-store")) return "asked not to be kept";
  if (answer.vary === "*") return "varies by anything";
  if (answer.vary !== "" && given.language !== ask.language) return "another language";
  if (given.isAuthorized && !/public|s-maxage|must-revalidate/.test(control)) return "for somebody who was authorized";
  const lifetime = number(control, "s-maxage") ?? number(control, "max-age") ?? 0;
  const age = now - given.at + given.age;
  const isFresh = age < lifetime && !control.includes("no-cache");
  const isStrict = /must-revalidate|no-cache/.test(control);
  if (ask.control === "no-cache") return destinationFailed && !isStrict && age < lifetime + (number(control, "stale-if-error") ?? 0) ? undefined : "wanted a new one";
  if (ask.control === "max-age=3" && age > 3 && !destinationFailed) return "too old for the client";
  if (ask.control === "min-fresh=4" && lifetime - age < 4 && !destinationFailed) return "not fresh enough for the client";
  if (isFresh) return undefined;
  if (isStrict) return "stale";
  if (age < lifetime + (number(control, "stale-while-revalidate") ?? 0)) return undefined;
  if (destinationFailed && age < lifetime + (number(control, "stale-if-error") ?? 0)) return undefined;
  if (ask.control === "max-stale=5" && age - lifetime <= 5 && !control.includes("s-maxage")) return undefined;
  return "stale";
}

async function converse(script: readonly Action[]): Promise<void> {
  const given = new Map<string, Given>();
  let current: Ask | undefined;
  let asked: FakeCall[] = [];
  let succeeds = true;
  const { get, clock, proxy } = await cachedProxy({ mode: "Http" }, (call) => {
    asked.push(call);
    const { method, target, headers } = call.request;
    if (method !== "GET") return void call.respond(succeeds ? 200 : 409);
    const { answer, control: requestControl } = current as Ask;
    if (answer.fails) return void call.fail();
    const id = `${target} ${given.size}`;
    const fields: [string, string][] = [["Age", String(answer.age)]];
    if (answer.control !== "") fields.push(["Cache-Control", answer.control]);
    const tag = headers.get("if-none-match");
    const known = tag === undefined ? undefined : given.get(tag.slice(1, -1));
    // What was tagged holds, unless something changed it.
    if (known !== undefined && !known.isChanged) {
      known.at = clock.now() / 1000;
      known.age = answer.age;
      // It is what strangers get too.
      known.isAuthorized &&= headers.has("authorization");
      if (answer.control !== "") known.control = answer.control;
      return void call.respond(304, [["ETag", tag as string], ...fields]);
    }
    if (answer.vary !== "") fields.push(["Vary", answer.vary]);
    if (answer.tag) fields.push(["ETag", `"${id}"`]);
    given.set(id, { target, language: headers.get("accept-language") ?? "", isAuthorized: headers.has("authorization"), requestControl, answer, at: clock.now() / 1000, control: answer.control, age: answer.age, isChanged: false });
    call.respond(200, fields, id);
  });
  try {
    for (const action of script) {
      if (action.kind === "wait") clock.set(clock.now() + action.seconds * 1000);
      else if (action.kind === "change") {
        succeeds = action.succeeds;
        await get(action.target, [], { method: "POST" });
        if (succeeds) for (const each of given.values()) if (each.target === action.target) each.isChanged = true;
      } else {
        current = action;
        asked = [];
        const headers: [string, string][] = [["Accept-Language", action.language]];
        if (action.isAuthorized) headers.push(["Authorization", "Bearer x"]);
        if (action.control !== "") headers.push(["Cache-Control", action.control]);
        const before = new Set(given.keys());
        const { response } = await get(action.target, headers as Fields);
        const wasAsked = asked.length > 0;
        await settled();
        if (action.control === "only-if-cached") expect(asked.filter(({ request }) => !request.headers.has("if-none-match")).length === 0 || response.status === 200).toBe(true);
        if (response.status !== 200) {
          expect(action.answer.fails || action.control === "only-if-cached").toBe(true);
          continue;
        }
        const own = given.get(response.text);
        expect(own).toBeDefined();
        // Made for this request, or found to hold for it.
        if (own === undefined || !before.has(response.text) || (wasAsked && own.at === clock.now() / 1000 && !action.answer.fails)) continue;
        expect(isAllowed(own, action, clock.now() / 1000, action.answer.fails)).toBeUndefined();
      }
    }
  } finally {
    await proxy.close();
  }
}

it("gives nothing that RFC 9111 forbids", async () => {
  await fc.assert(fc.asyncProperty(fc.array(actions, { minLength: 2, maxLength: 30 }), converse), { numRuns: 300 });
});
