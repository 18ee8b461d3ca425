import type { ConfigValidator } from "@proxy/config";
import type { ReverseProxyOptions } from "./reverse-proxy.ts";
import { RouteCompiler } from "./state/route-compiler.ts";
import { transformCatalogue } from "./transforms/compile.ts";

/**
 * What a proxy with these options checks beyond the rules of the configuration itself: templates, constraints,
 * transforms, answers, ties. For tools that check a configuration without running a proxy; a proxy has it built in.
 */
export function createProxyValidator(options: Pick<ReverseProxyOptions, "transforms" | "constraints"> = {}): ConfigValidator {
  return new RouteCompiler({
    catalogue: transformCatalogue(options.transforms),
    table: { constraints: options.constraints },
    chainOf: () => () => {},
  }).validator;
}
