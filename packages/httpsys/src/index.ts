export type { ConnectionId, QueueHandle, RequestId, SessionId, UrlGroupId } from "./handles.ts";
export { isHttpSysDelegation } from "./delegation-calls.ts";
export type { DelegationCalls, DelegationSource, HttpSysDelegation, HttpSysDelegationRule } from "./delegation-calls.ts";
export { HttpSysError, HttpSysUnavailableError } from "./errors.ts";
