import type { HttpSysLibrary } from "../binding.ts";
import type { CompletionSource } from "../completions.ts";
import type { QueueHandle, RequestId } from "../handles.ts";

/** What the calls on one request need. */
export interface RequestHandle {
  readonly library: HttpSysLibrary;
  readonly completions: CompletionSource;
  readonly queue: QueueHandle;
  readonly id: RequestId;
}
