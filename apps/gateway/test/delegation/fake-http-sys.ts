import type { Exchange, RequestDelegation } from "@proxy/http";
import { HttpSysError, type DelegationCalls, type DelegationSource, type HttpSysDelegationRule } from "@proxy/httpsys";

/** What HTTP.sys does with queues and rules, in memory: other processes' queues by name, and this one's handles and rules. */
export class FakeHttpSys {
  /** Names of queues that other processes have; undefined: every one. */
  queues: Set<string> | undefined = undefined;
  /** Codes that the next attempts to open, and to delegate, fail with; 0 succeeds. */
  readonly openErrors: number[] = [];
  readonly delegateErrors: number[] = [];
  /** Names opened, in order. */
  readonly opened: string[] = [];
  /** Handles that are open, with their names. */
  readonly handles = new Map<bigint, string>();
  /** Handles that have a rule. */
  readonly rules = new Set<bigint>();
  /** Attempts to delegate. */
  attempts = 0;
  readonly delegatedTo: { readonly queue: string; readonly urlPrefix: string }[] = [];
  #next = 1n;

  readonly calls: DelegationCalls = {
    unsupported: undefined,
    openRequestQueue: (name) => {
      this.opened.push(name);
      const code = this.openErrors.shift() ?? (this.queues?.has(name) === false ? 2 : 0);
      if (code !== 0) throw new HttpSysError("HttpCreateRequestQueue", code);
      const handle = this.#next++;
      this.handles.set(handle, name);
      return handle as ReturnType<DelegationCalls["openRequestQueue"]>;
    },
    setDelegationProperty: (_group, target, present) => {
      const name = this.handles.get(target);
      if (name === undefined) throw new HttpSysError("HttpSetUrlGroupProperty", 6);
      const isTaken = [...this.rules].some((each) => this.handles.get(each) === name);
      if (present && isTaken) throw new HttpSysError("HttpSetUrlGroupProperty", 183);
      if (present) this.rules.add(target);
      else this.rules.delete(target);
    },
    delegateRequest: (_source, target, _id, urlPrefix) => {
      this.attempts++;
      const code = this.delegateErrors.shift() ?? 0;
      if (code !== 0) throw new HttpSysError("HttpDelegateRequestEx", code);
      this.delegatedTo.push({ queue: this.handles.get(target) ?? "?", urlPrefix });
    },
    closeRequestQueue: (handle) => {
      this.handles.delete(handle);
    },
  };

  readonly source: DelegationSource = {
    calls: this.calls,
    queue: 0n as DelegationSource["queue"],
    urlGroup: 7n as DelegationSource["urlGroup"],
  };

  /** The exchange as a front server of HTTP.sys would present it. A request that is delegated is answered 200 by "the other process". */
  presented(exchange: Exchange, canDelegate: boolean): Exchange {
    const { source } = this;
    const delegation: RequestDelegation & { readonly source: DelegationSource } = {
      source,
      canDelegate,
      delegate: (rule) => {
        source.calls.delegateRequest(source.queue, (rule as HttpSysDelegationRule).target, 1n as never, rule.urlPrefix);
        exchange.response.send({ status: 200, headers: exchange.request.headers.copy() }, rule.queueName);
      },
    };
    return {
      request: exchange.request,
      connection: exchange.connection,
      body: exchange.body,
      response: exchange.response,
      features: { ...exchange.features, delegation },
      onClientGone: (listener) => exchange.onClientGone(listener),
      onComplete: (listener) => exchange.onComplete(listener),
    };
  }
}
