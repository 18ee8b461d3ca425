import { createHttpSysCarrier, createUnixCarrier, Delegator } from "@proxy/delegation";
import type { HandOverEvent, QueueEvent } from "@proxy/delegation";
import { delegationCalls, loadHttpSys, type DelegationSource, type HttpSysServer } from "@proxy/httpsys";
import type { HostSettings } from "../configuration/host-settings.ts";
import type { CallbackLog } from "../logging/callback-log.ts";

const noHttpSys = "this gateway does not serve from HTTP.sys (Server:Engine HttpSys)";

/** Why HTTP.sys of this machine cannot delegate, where the gateway serves from it. Undefined also where there is no HTTP.sys: its listeners say so. */
export async function lackOfHttpSysDelegation({ engine, httpSys }: Pick<HostSettings, "engine" | "httpSys">): Promise<string | undefined> {
  if (engine !== "HttpSys") return undefined;
  const library = await loadHttpSys({ path: httpSys.libraryPath }).catch(() => undefined);
  if (library === undefined) return undefined;
  try {
    return delegationCalls(library).unsupported;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Hands requests to other processes, where destinations ask for it. Nothing is loaded or opened before one does. `httpSysServers` are those
 * that listen now, `lack` is why they cannot delegate.
 */
export function createDelegator(
  { addresses, engine, delegation }: Pick<HostSettings, "addresses" | "engine" | "delegation">,
  log: CallbackLog,
  httpSysServers: Iterable<HttpSysServer> = [],
  lack?: string,
): Delegator {
  const isHttpSys = engine === "HttpSys";
  const sources = (): readonly DelegationSource[] => [...httpSysServers].flatMap(({ delegationSource }) => delegationSource ?? []);
  const isServed = engine !== "node" && !isHttpSys && addresses.some((each) => each.tls === undefined && each.protocols !== "Http2" && !each.proxyProtocol);
  return new Delegator({
    carriers: [...(isServed ? [createUnixCarrier({ backlog: delegation.backlog })] : []), ...(isHttpSys && lack === undefined ? [createHttpSysCarrier(sources)] : [])],
    missing: {
      httpsys: lack ?? noHttpSys,
      unix: "only cleartext HTTP/1.1 connections without a PROXY header can be handed over, of the engine that is the default; no address is served so",
    },
    onEvent: (event) => tell(log, event),
  });
}

/** For checking a configuration: as if every address were served in a way that allows it. */
export function delegatorForChecks(): Delegator {
  return new Delegator({ carriers: [createUnixCarrier(), createHttpSysCarrier(() => [])] });
}

/** Single requests are told by the proxy. */
function tell(log: CallbackLog, { type, queueName, error }: QueueEvent | HandOverEvent): void {
  const fields = { queue: queueName, ...(error === undefined ? {} : { error: error.message, code: error.code }) };
  switch (type) {
    case "attached":
      return log("Info", "a process that requests are handed to is there", fields);
    case "attach-failed":
      return log("Warn", "a process that requests are handed to cannot be reached", fields);
    case "lost":
    case "detached":
      return log("Warn", "a process that requests are handed to has gone", fields);
    case "reset":
    case "released":
      return log("Info", "a process that requests were handed to was let go", fields);
    default:
  }
}
