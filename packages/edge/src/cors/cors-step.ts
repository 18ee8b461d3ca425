/**
 * CORS at the edge, which destinations then need not know of.
 *
 * 1. A preflight (OPTIONS with Origin and Access-Control-Request-Method) is answered here with 204: with leave for an allowed origin, without
 *    for others. No destination sees it.
 * 2. Any other request goes on. Its answer, whoever gives it, says what the policy says and nothing else: what a destination writes of
 *    CORS is removed.
 * 3. Vary names Origin where answers differ by it, also on answers to requests without one: caches keep those too.
 */
import type { CorsPolicyConfig } from "@proxy/config";
import { HeaderList, type ResponseHead } from "@proxy/http";
import type { Step } from "@proxy/pipeline";
import { AnsweredExchange, type HeadChange } from "../exchange/answered-exchange.ts";
import { addVary } from "../exchange/vary.ts";
import { compileCorsPolicy, type CorsPolicy } from "./cors-policy.ts";

/** The step `cors` with one policy for all routes. */
export function corsStep(policy: Omit<CorsPolicyConfig, "name">): Step {
  return { name: "cors", run: corsRun(compileCorsPolicy({ name: "cors", ...policy })) };
}

const preflightVary = ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Access-Control-Request-Private-Network"];

/** What serves requests under `policy`; undefined (`Disable`): no origin is allowed. */
export function corsRun(policy: CorsPolicy | undefined): Step["run"] {
  const varies = policy?.varies ?? false;
  const answers = new AnswerChanges(policy, varies);
  return (ctx, next) => {
    const { method, headers } = ctx.exchange.request;
    const at = headers.indexOf("origin");
    // Two of them are no origin that anybody could be sure of.
    const origin = at < 0 || headers.indexOf("origin", at + 1) >= 0 ? undefined : headers.valueAt(at);
    const allowed = origin === undefined ? undefined : policy?.allowedOrigin(origin);
    if (at >= 0 && method === "OPTIONS" && headers.has("access-control-request-method")) {
      const answer = new HeaderList();
      if (allowed !== undefined && policy !== undefined) {
        writeOrigin(answer, allowed, policy);
        policy.writePreflight(headers, answer);
      }
      if (policy !== undefined) addVary(answer, preflightVary);
      ctx.exchange.response.send({ status: 204, headers: answer });
      return;
    }
    ctx.exchange = new AnsweredExchange(ctx.exchange, answers.for(allowed));
    return next(ctx);
  };
}

function writeOrigin(headers: HeaderList, origin: string, policy: CorsPolicy): void {
  headers.append("Access-Control-Allow-Origin", origin);
  if (policy.credentials) headers.append("Access-Control-Allow-Credentials", "true");
}

/** The change for each origin; those without leave, and any, share one. */
class AnswerChanges {
  readonly #policy: CorsPolicy | undefined;
  readonly #varies: boolean;
  readonly #refused: HeadChange;
  readonly #any: HeadChange;

  constructor(policy: CorsPolicy | undefined, varies: boolean) {
    this.#policy = policy;
    this.#varies = varies;
    this.#refused = (head) => this.#change(head, undefined);
    this.#any = (head) => this.#change(head, "*");
  }

  for(origin: string | undefined): HeadChange {
    if (origin === undefined) return this.#refused;
    return origin === "*" ? this.#any : (head) => this.#change(head, origin);
  }

  #change(head: ResponseHead, origin: string | undefined): ResponseHead {
    const headers = head.headers.copy();
    headers.filter((key) => !key.startsWith("access-control-"));
    const policy = this.#policy;
    if (origin !== undefined && policy !== undefined) {
      writeOrigin(headers, origin, policy);
      if (policy.exposed !== undefined) headers.append("Access-Control-Expose-Headers", policy.exposed);
    }
    if (this.#varies) addVary(headers, ["Origin"]);
    return { status: head.status, reason: head.reason, headers };
  }
}
