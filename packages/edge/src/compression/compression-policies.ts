import { routePolicies, type CompressionPolicyConfig, type PoliciesConfig } from "@proxy/config";
import { clientScheme, type ProxyContext, type Step } from "@proxy/pipeline";
import type { EdgePolicyKind } from "../edge-policy-kind.ts";
import { CompressedExchange, CompressorRoom } from "./compressed-exchange.ts";
import { compileCompressionPolicy, type CompressionPolicy } from "./compression-policy.ts";

/** The step `compression` with one policy for all routes. */
export function compressionStep(policy: Omit<CompressionPolicyConfig, "name"> = {}): Step {
  return { name: "compression", run: compressionRun(compileCompressionPolicy({ name: "default", ...policy }), new CompressorRoom()) };
}

function compressionRun(policy: CompressionPolicy, room: CompressorRoom): Step["run"] {
  return (ctx, next) => {
    if (policy.enableForHttps || comesInClearText(ctx)) ctx.exchange = new CompressedExchange(ctx.exchange, policy, room);
    return next(ctx);
  };
}

/** Also as a trusted proxy in front tells, which ends TLS. */
function comesInClearText({ exchange, state }: ProxyContext): boolean {
  const { scheme, headers } = exchange.request;
  if (!headers.has("x-forwarded-proto") && !headers.has("forwarded")) return scheme === "http";
  return clientScheme({ exchange, trustedPeer: state.trusts(exchange.connection.remoteAddress) }) === "http";
}

/** Compression policies by name, as routes ask for them with `CompressionPolicy`. `Default` holds for routes that name none. */
export function compressionPolicies(code: PoliciesConfig["compression"]): EdgePolicyKind<"compression"> {
  const room = new CompressorRoom();
  return {
    kind: "compression",
    steps: ["compression"],
    code: code ?? [],
    compile(policies) {
      const runs = new Map(policies.map((policy) => [policy.name.toLowerCase(), compressionRun(compileCompressionPolicy(policy), room)]));
      return {
        bind(_step, { config }) {
          const asked = routePolicies(config).compression;
          if (asked === "disabled") return undefined;
          return runs.get(asked === undefined ? "default" : asked.policy.toLowerCase());
        },
      };
    },
  };
}
