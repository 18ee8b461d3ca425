/** Properties of URL groups and queues, in people's units. */
import { errorCode, flag, serverProperty, verbosity503 } from "./abi/constants.ts";
import { structs } from "./abi/structs.ts";
import type { HttpSysLibrary, Memory } from "./binding.ts";
import { HttpSysError } from "./errors.ts";
import type { QueueHandle, UrlGroupId } from "./handles.ts";

/** Seconds, 1 to 65535; undefined leaves HTTP.sys's own (120; `headerWait` and `idleConnection` can also be set machine-wide). */
export interface HttpSysTimeouts {
  readonly entityBody?: number | undefined;
  readonly drainEntityBody?: number | undefined;
  /** In the queue, before somebody receives the request. */
  readonly requestQueue?: number | undefined;
  readonly idleConnection?: number | undefined;
  readonly headerWait?: number | undefined;
  /** Bytes per second of a response; HTTP.sys's own is 150. */
  readonly minSendRate?: number | undefined;
}

/** What HTTP.sys answers while a queue is full: nothing but a reset, 503, or 503 with the reason. */
export type Verbosity503 = "basic" | "limited" | "full";

/** Binds the queue to the group: its requests go there. */
export function bindQueue(library: HttpSysLibrary, group: UrlGroupId, queue: QueueHandle): void {
  const info = bindingInfo(library, queue, true);
  library.require("HttpSetUrlGroupProperty", group, serverProperty.HttpServerBindingProperty, info.buffer, info.buffer.length);
}

/** HTTP_BINDING_INFO, which the delegation property takes as well. */
export function bindingInfo(library: HttpSysLibrary, queue: QueueHandle, present: boolean): Memory {
  const { size, fields } = structs.HTTP_BINDING_INFO;
  const info = library.memory(size);
  info.buffer.writeUInt32LE(present ? flag.HTTP_PROPERTY_FLAGS_PRESENT : 0, fields.Flags[0]);
  info.buffer.writeBigUInt64LE(queue, fields.RequestQueueHandle[0]);
  return info;
}

export function setTimeouts(library: HttpSysLibrary, group: UrlGroupId, timeouts: HttpSysTimeouts): void {
  const { size, fields } = structs.HTTP_TIMEOUT_LIMIT_INFO;
  const info = library.memory(size);
  info.buffer.writeUInt32LE(flag.HTTP_PROPERTY_FLAGS_PRESENT, fields.Flags[0]);
  const seconds = (value: number | undefined, offset: number): void => {
    if (value !== undefined) info.buffer.writeUInt16LE(inRange("a timeout", value, 65_535), offset);
  };
  seconds(timeouts.entityBody, fields.EntityBody[0]);
  seconds(timeouts.drainEntityBody, fields.DrainEntityBody[0]);
  seconds(timeouts.requestQueue, fields.RequestQueue[0]);
  seconds(timeouts.idleConnection, fields.IdleConnection[0]);
  seconds(timeouts.headerWait, fields.HeaderWait[0]);
  if (timeouts.minSendRate !== undefined) {
    info.buffer.writeUInt32LE(inRange("the minimum rate", timeouts.minSendRate, 0xffff_ffff), fields.MinSendRate[0]);
  }
  library.require("HttpSetUrlGroupProperty", group, serverProperty.HttpServerTimeoutsProperty, info.buffer, size);
}

/** Most connections at a time of the group's URLs. */
export function setConnectionLimit(library: HttpSysLibrary, group: UrlGroupId, most: number): void {
  const limit = library.memory(structs.HTTP_CONNECTION_LIMIT_INFO.size);
  limit.buffer.writeUInt32LE(flag.HTTP_PROPERTY_FLAGS_PRESENT, 0);
  limit.buffer.writeUInt32LE(inRange("the connection limit", most, 0xffff_ffff), structs.HTTP_CONNECTION_LIMIT_INFO.fields.MaxConnections[0]);
  const { size, fields } = structs.HTTP_QOS_SETTING_INFO;
  const info = library.memory(size);
  info.buffer.writeInt32LE(connectionLimitQos, fields.QosType[0]);
  info.buffer.writeBigUInt64LE(limit.address, fields.QosSetting[0]);
  const code = library.call("HttpSetUrlGroupProperty", group, serverProperty.HttpServerQosProperty, info.buffer, size);
  // `limit` is named after the call, so that it lives during it.
  if (code !== 0) throw new HttpSysError("HttpSetUrlGroupProperty", code, { detail: `connection limit of ${limit.buffer.length} bytes` });
}

/** HttpQosSettingTypeConnectionLimit. */
const connectionLimitQos = 1;

/** Requests that may wait in the queue; one more is answered 503 by HTTP.sys. HTTP.sys's own is 1000. */
export function setQueueLength(library: HttpSysLibrary, queue: QueueHandle, length: number): void {
  setNumber(library, queue, serverProperty.HttpServerQueueLengthProperty, inRange("the queue length", length, 0xffff_ffff));
}

/** What HTTP.sys says when it answers 503 itself: nothing but a cut connection, the status, or the reason with it. */
export function set503Verbosity(library: HttpSysLibrary, queue: QueueHandle, verbosity: Verbosity503): void {
  const [basic, limited, full] = Object.values(verbosity503) as [number, number, number];
  setNumber(library, queue, serverProperty.HttpServer503VerbosityProperty, { basic, limited, full }[verbosity]);
}

function setNumber(library: HttpSysLibrary, queue: QueueHandle, property: number, value: number): void {
  const info = library.memory(4);
  info.buffer.writeUInt32LE(value, 0);
  const code = library.call("HttpSetRequestQueueProperty", queue, property, info.buffer, 4, 0, 0n);
  if (code === 0) return;
  const hint = code === errorCode.ERROR_INVALID_HANDLE ? "only who made the queue can set its properties" : undefined;
  throw new HttpSysError("HttpSetRequestQueueProperty", code, { hint, detail: library.why() });
}

function inRange(what: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 1 || value > most) throw new RangeError(`${what} is a whole number from 1 to ${most}, not ${value}`);
  return value;
}
