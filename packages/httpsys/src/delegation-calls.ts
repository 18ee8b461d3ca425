/**
 * What delegation needs of HTTP.sys, and nothing else: the seam between this package and whoever keeps the rules (which
 * queue is open for whom, and for how long). A rule's life:
 *
 * 1. `openRequestQueue(name, { delegation: true })` of the target, which must exist (2 FILE_NOT_FOUND otherwise);
 * 2. `setDelegationProperty(urlGroup, target, true)` on the URL group of the *source*: 183 when one handle has that queue
 *    already, so there is one handle per queue name;
 * 3. for each request `delegateRequest`, or `HttpSysDelegation.delegate` of its exchange;
 * 4. `setDelegationProperty(urlGroup, target, false)`, errors ignored, then `closeRequestQueue(target)`.
 */
import type { DelegationRule, RequestDelegation } from "@proxy/http";
import type { QueueHandle, RequestId, UrlGroupId } from "./handles.ts";

/** Synchronous, none of them waits. Each throws an `HttpSysError` whose `errorCode` is the Windows error code. */
export interface DelegationCalls {
  /** Undefined when requests can be delegated on this machine; otherwise the reason why not, for people to read. */
  readonly unsupported: string | undefined;
  /** Opens an existing named queue for delegation. The caller closes it. */
  openRequestQueue(name: string, options: { readonly delegation: true }): QueueHandle;
  /** Creates (`present`) or removes the rule that lets requests of `urlGroup` go to `target`. */
  setDelegationProperty(urlGroup: UrlGroupId, target: QueueHandle, present: boolean): void;
  /**
   * Hands a request over. `urlPrefix` is that of the target's URL group, such as `http://localhost:80/app/`. Afterwards the
   * request id means nothing here any more. 6807 OBJECT_NO_LONGER_EXISTS: the target is gone, the request is still ours.
   */
  delegateRequest(source: QueueHandle, target: QueueHandle, requestId: RequestId, urlPrefix: string): void;
  /** Never throws: there is nothing that a caller could do about it. */
  closeRequestQueue(handle: QueueHandle): void;
}

/** A queue that requests can be delegated from: one for each open HTTP.sys front server, `HttpSysServer.delegationSource`. */
export interface DelegationSource {
  readonly calls: DelegationCalls;
  readonly queue: QueueHandle;
  readonly urlGroup: UrlGroupId;
}

/** A rule with the handle that its keeper opened. */
export interface HttpSysDelegationRule extends DelegationRule {
  readonly target: QueueHandle;
}

/** `exchange.features.delegation` of an HTTP.sys front server. */
export interface HttpSysDelegation extends RequestDelegation {
  readonly source: DelegationSource;
  /**
   * Hands the request over; `onComplete` of the exchange is told, and its response accepts every call and does nothing.
   * Throws `ExchangeStateError` unless `canDelegate`, `TypeError` for a rule without a handle, `HttpSysError` when HTTP.sys
   * refuses: then nothing has happened, and the request can be answered or delegated elsewhere.
   */
  delegate(rule: DelegationRule | HttpSysDelegationRule): void;
}

/** Whether a delegation feature is that of HTTP.sys. */
export function isHttpSysDelegation(feature: RequestDelegation | undefined): feature is HttpSysDelegation {
  return feature !== undefined && "source" in feature;
}
