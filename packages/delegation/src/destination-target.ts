import type { DelegationMode } from "./unix/frames.ts";

/** Metadata of a destination: the HTTP.sys request queue that its requests go to. */
export const httpSysQueueKey = "HttpSysDelegationQueue";
/** Metadata of a destination: the Unix-domain socket of the process that its connections go to. */
export const socketKey = "DelegationSocket";
/** Metadata beside `DelegationSocket`: `perRequest` (default) or `sticky`. */
export const modeKey = "DelegationMode";

/** What a destination says about delegation. */
export interface WantedTarget {
  readonly carrier: "httpsys" | "unix";
  readonly queueName: string;
  readonly urlPrefix: string;
  readonly mode: DelegationMode;
  /** What is wrong with it; undefined when nothing is. */
  readonly fault: string | undefined;
}

/** What is read of a destination's configuration. */
export interface DelegatingDestination {
  readonly address: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Undefined for a destination that is forwarded to. Names of metadata ignore case. */
export function wantedTarget({ address, metadata }: DelegatingDestination): WantedTarget | undefined {
  if (metadata === undefined) return undefined;
  const queue = metadataOf(metadata, httpSysQueueKey);
  const socket = metadataOf(metadata, socketKey);
  const modeText = metadataOf(metadata, modeKey);
  if (!queue && !socket) return undefined;
  const mode = modeText === undefined || modeText.toLowerCase() === "perrequest" ? "perRequest" : "sticky";
  let fault: string | undefined;
  if (queue && socket) fault = `has both ${httpSysQueueKey} and ${socketKey}`;
  else if (modeText !== undefined && !["perrequest", "sticky"].includes(modeText.toLowerCase())) {
    fault = `has the ${modeKey} '${modeText}', which is neither perRequest nor sticky`;
  }
  return queue
    ? { carrier: "httpsys", queueName: queue, urlPrefix: address, mode, fault }
    : { carrier: "unix", queueName: socket as string, urlPrefix: address, mode, fault };
}

function metadataOf(metadata: DelegatingDestination["metadata"], name: string): string | undefined {
  const lower = name.toLowerCase();
  for (const [key, value] of Object.entries(metadata ?? {})) if (key.toLowerCase() === lower) return value;
  return undefined;
}
