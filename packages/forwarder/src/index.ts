export { forward, forwardWith } from "./forward.ts";
export { forwardNode, forwardNodeUpgrade } from "./forward-node.ts";
export type { ForwardNodeOptions } from "./forward-node.ts";
export type { ForwardDone } from "./forwarding-state.ts";
export { Destination, makeDestinationAddress, prepareDestination } from "./destination.ts";
export { encodePath } from "./encode-path.ts";
export { ForwarderError, forwarderErrorCodes } from "./forwarder-error.ts";
export type { ForwarderErrorCode, ForwarderErrorOptions } from "./forwarder-error.ts";
export type {
  ClientResponse,
  ForwardAttempt,
  ForwardOptions,
  ForwardWithOptions,
  OutgoingRequest,
  Transformer,
} from "./forward-options.ts";
export { addBodyTransform, BodyContentError } from "./body/body-transform.ts";
export type { BodyChange, BodyPiece, BodyTransform } from "./body/body-transform.ts";
export { knownCodings } from "./body/content-coding.ts";
export { defaultTransformer, emptyTransformer } from "./transformers.ts";
export { copyRequestFields } from "./request-headers.ts";
export { copyResponseFields } from "./response-headers.ts";
export { sharedTimers, TimerWheel } from "./timer-wheel.ts";
export type { TimerWheelOptions, WheelEntry } from "./timer-wheel.ts";
export { createHttpClient } from "./http-client.ts";
export type { WebSocketCloseReason, WebSocketReport } from "./websocket/report.ts";
