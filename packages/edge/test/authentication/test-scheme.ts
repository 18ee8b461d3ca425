import { HeaderList } from "@proxy/http";
import type { AuthenticationResult, AuthenticationScheme, Challenge, Identity, SchemeFactory } from "../../src/index.ts";

export interface TestSchemeOptions extends Partial<Omit<AuthenticationScheme, "name" | "authenticate" | "challenge">> {
  readonly challenge?: Challenge;
  /** Answers later rather than at once. */
  readonly waits?: boolean;
  readonly identity?: Partial<Identity>;
}

/**
 * A scheme that believes the field `X-<name>`: `who` is a user, `who;role=a;role=b` one with claims. `?` cannot be known now, `!` is wrong,
 * `302` is what another service says.
 */
export function testScheme(name: string, options: TestSchemeOptions = {}): SchemeFactory {
  const { challenge = { kind: "values", values: [`Test realm="${name}"`] }, waits = false, identity, ...rest } = options;
  const read = (text: string | undefined): AuthenticationResult => {
    if (text === undefined) return { kind: "none" };
    if (text === "?") return { kind: "unavailable", reason: "who knows", retryAfter: 7 };
    if (text === "!") return { kind: "failed", reason: "wrong" };
    if (/^\d{3}$/.test(text)) return { kind: "answered", answer: { head: { status: Number(text), headers: headersOf(name) }, body: "asked" } };
    const [who = "", ...pairs] = text.split(";");
    const claims = Map.groupBy(pairs, (pair) => pair.slice(0, pair.indexOf("=")));
    const values = new Map([...claims].map(([claim, all]): [string, string[]] => [claim, all.map((pair) => pair.slice(pair.indexOf("=") + 1))]));
    return { kind: "authenticated", identity: { scheme: name, name: who === "" ? undefined : who, claims: values, accessToken: `token-of-${who}`, ...identity } };
  };
  return () => ({
    name,
    authenticate({ request }) {
      const result = read(request.headers.get(`x-${name}`));
      return waits ? Promise.resolve(result) : result;
    },
    challenge: () => challenge,
    ...rest,
  });
}


function headersOf(name: string): HeaderList {
  return HeaderList.from([["Location", `https://${name}.example/`]]);
}
