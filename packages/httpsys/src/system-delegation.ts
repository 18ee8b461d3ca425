import { delegateRequestPropertyId, errorCode, featureId, serverProperty } from "./abi/constants.ts";
import { structs } from "./abi/structs.ts";
import { wideText, type HttpSysLibrary } from "./binding.ts";
import type { DelegationCalls } from "./delegation-calls.ts";
import { HttpSysError } from "./errors.ts";
import { whileInitialized } from "./initialized.ts";
import { bindingInfo } from "./properties.ts";
import { closeQueue, openQueue } from "./request-queue.ts";
import { parseUrlPrefix } from "./url-prefix.ts";

/**
 * The delegation calls of a loaded library. Whether there are any is asked here; the calls themselves need the API initialised, as an open
 * server has it.
 *
 * @throws {HttpSysError} when the API cannot be initialised.
 */
export function delegationCalls(library: HttpSysLibrary): DelegationCalls {
  return {
    unsupported: reasonAgainst(library),

    openRequestQueue: (name) => openQueue(library, { name, delegation: true }).handle,

    setDelegationProperty(urlGroup, target, present) {
      const info = bindingInfo(library, target, present);
      library.require("HttpSetUrlGroupProperty", urlGroup, serverProperty.HttpServerDelegationProperty, info.buffer, info.buffer.length);
    },

    delegateRequest(source, target, requestId, urlPrefix) {
      const { text } = parseUrlPrefix(urlPrefix);
      const prefix = wideText(library, text);
      const { size, fields } = structs.HTTP_DELEGATE_REQUEST_PROPERTY_INFO;
      const info = library.memory(size);
      info.buffer.writeInt32LE(delegateRequestPropertyId.DelegateRequestDelegateUrlProperty, fields.PropertyId[0]);
      // Bytes of the text, its NUL not counted.
      info.buffer.writeUInt32LE(prefix.buffer.length - 2, fields.PropertyInfoLength[0]);
      info.buffer.writeBigUInt64LE(prefix.address, fields.PropertyInfo[0]);
      // URL group 0: HTTP.sys finds it. A real id would break when the target starts anew.
      const code = library.call("HttpDelegateRequestEx", source, target, requestId, 0n, 1, info.buffer);
      if (code === 0) return;
      const hint = code === errorCode.ERROR_OBJECT_NO_LONGER_EXISTS ? "the target closed its queue" : undefined;
      // `prefix` is named after the call, so that it lives during it.
      throw new HttpSysError("HttpDelegateRequestEx", code, { hint, detail: library.why() ?? prefix.buffer.toString("utf16le", 0, 200) });
    },

    closeRequestQueue: (handle) => closeQueue(library, handle),
  };
}

function reasonAgainst(library: HttpSysLibrary): string | undefined {
  const isSupported = library.find("HttpIsFeatureSupported");
  if (isSupported === undefined || library.find("HttpDelegateRequestEx") === undefined) {
    return "this Windows has no HttpDelegateRequestEx: delegation needs Windows Server 2022 or Windows 11";
  }
  return whileInitialized(library, () => isSupported(featureId.HttpFeatureDelegateEx)) === 0 ? "HTTP.sys says that it does not support delegation" : undefined;
}
