export { createReceiver } from "./receiver.ts";
export type { DelegationReceiver, ReceiverOptions } from "./receiver.ts";
