export { ForwarderError } from "./forwarder-error.ts";
export type { ForwarderErrorCode, ForwarderErrorOptions } from "./forwarder-error.ts";
export type { ForwardOptions, OutgoingRequest, Transformer } from "./forward-options.ts";
