import { apiKeyKind } from "./api-key.ts";
import { bearerKind } from "./bearer/bearer-scheme.ts";
import type { SchemeKind, SchemeSection } from "./scheme-kind.ts";

/** Every kind that configuration knows, by its section. */
export const schemeKinds: { readonly [S in SchemeSection]?: SchemeKind<S> } = {
  apiKey: apiKeyKind,
  bearer: bearerKind,
};
