import type { Exchange } from "@proxy/http";
import type { AuthenticationResult, AuthenticationScheme } from "../authentication/scheme.ts";

export type Authenticated = Extract<AuthenticationResult, { readonly kind: "authenticated" }>;

/** Who it is, or what each scheme said. */
export type Findings = Authenticated | readonly AuthenticationResult[];

export function isAuthenticated(findings: Findings): findings is Authenticated {
  return "kind" in findings;
}

/** Asks `schemes` in order until one authenticates; waits only where one does. */
export function askSchemes(schemes: readonly AuthenticationScheme[], exchange: Exchange): Findings | Promise<Findings> {
  const results: AuthenticationResult[] = [];
  for (let i = 0; i < schemes.length; i++) {
    const result = (schemes[i] as AuthenticationScheme).authenticate(exchange);
    if (result instanceof Promise) return askOn(result, schemes, i, exchange, results);
    if (result.kind === "authenticated") return result;
    results.push(result);
  }
  return results;
}

async function askOn(
  pending: Promise<AuthenticationResult>,
  schemes: readonly AuthenticationScheme[],
  index: number,
  exchange: Exchange,
  results: AuthenticationResult[],
): Promise<Findings> {
  for (let i = index, result = await pending; ; result = await (schemes[i] as AuthenticationScheme).authenticate(exchange)) {
    if (result.kind === "authenticated") return result;
    results.push(result);
    if (++i >= schemes.length) return results;
  }
}
