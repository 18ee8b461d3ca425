import type { RemoteSignInConfig } from "@proxy/config";
import type { ClaimValue } from "../session/session.ts";
import { SignInRefusedError } from "./sign-in-errors.ts";

type Claims = Readonly<Record<string, ClaimValue>>;

/** What a session keeps of the claims, and who it is by them. Throws `SignInRefusedError` where nobody is named. */
export function keptClaims(
  { claims, user }: { readonly claims: Claims; readonly user?: string | undefined },
  { keepClaims, mapClaims = {}, nameClaim }: Pick<RemoteSignInConfig, "keepClaims" | "mapClaims" | "nameClaim">,
  protocolClaims: ReadonlySet<string>,
): { readonly user: string; readonly claims: Claims } {
  const kept: Record<string, ClaimValue> = Object.create(null) as Record<string, ClaimValue>;
  for (const [name, value] of Object.entries(claims)) if (keepClaims?.includes(name) ?? !protocolClaims.has(name)) kept[name] = value;
  for (const [name, path] of Object.entries(mapClaims)) {
    const value = claimAt(claims, path);
    if (value !== undefined) kept[name] = value;
  }
  const named = nameClaim === undefined ? (user ?? claims["sub"]) : (kept[nameClaim] ?? claimAt(claims, nameClaim));
  if (typeof named !== "string" && typeof named !== "number") throw new SignInRefusedError(`the answer has no claim '${nameClaim ?? "sub"}'`);
  if (named === "") throw new SignInRefusedError("the answer names nobody");
  return { user: String(named), claims: kept };
}

/** The claim of that name, or what `a.b` leads to through objects. */
function claimAt(claims: Claims, path: string): ClaimValue | undefined {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: ClaimValue | undefined = claims;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}
