import type { Clock } from "@proxy/cluster";
import type { ProxyLogger } from "@proxy/pipeline";

/** Events that clients bring about as often as they like, or an outage with each request. */
const frequent: ReadonlySet<string> = new Set(["sign-in-failed", "sign-in-store-failed", "session-refresh-failed", "session-too-large", "forward-auth-failed", "token-exchange-failed"]);
/** Milliseconds. */
const pause = 1000;

/** Tells those at most once a second for each scheme, with how many `others` there were since the last time: a log that grows with them would be one more thing to attack. */
export function sparingLog(log: ProxyLogger, clock: Pick<Clock, "now">): ProxyLogger {
  const told = new Map<string, { readonly at: number; others: number }>();
  return {
    event(level, name, fields) {
      if (!frequent.has(name)) return log.event(level, name, fields);
      const { scheme } = fields as { readonly scheme?: unknown };
      const key = typeof scheme === "string" ? `${name} ${scheme}` : name;
      const last = told.get(key);
      const now = clock.now();
      if (last !== undefined && now - last.at < pause) {
        last.others++;
        return;
      }
      told.set(key, { at: now, others: 0 });
      log.event(level, name, last === undefined || last.others === 0 ? fields : { ...fields, others: last.others });
    },
  };
}
