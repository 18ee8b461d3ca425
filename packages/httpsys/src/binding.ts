/**
 * The functions of httpapi.dll, and the few of kernel32 and ntdll that overlapped calls need, through koffi: every one with
 * fixed-width parameters, every pointer an address. The library can be another that has the same exports, such as a double.
 */
import { functions, furtherFunctions, systemFunctions, type FunctionName } from "./abi/functions.ts";
import { errorCode } from "./abi/constants.ts";
import { HttpSysError, HttpSysUnavailableError } from "./errors.ts";
import { loadKoffi, type Koffi, type KoffiFunction, type KoffiLibrary } from "./koffi.ts";

/** Functions of kernel32 that are called. */
export type SystemFunctionName = keyof typeof systemFunctions;
/** Bytes are passed by their address, and live during the call. */
export type NativeArgument = number | bigint | Uint8Array;
/** A function of the system, which gives a Windows error code or a handle. */
export type NativeFunction = (...values: NativeArgument[]) => number;

/** An export that Windows has had for long is required; what newer versions added is looked for by name and may be missing. */
const optional: ReadonlySet<FunctionName> = new Set<FunctionName>([
  "HttpIsFeatureSupported",
  "HttpDelegateRequestEx",
  "HttpFindUrlGroupId",
  "HttpSetRequestProperty",
  "HttpQueryRequestProperty",
  "HttpWaitForDisconnectEx",
]);

export interface HttpSysLibrary {
  readonly path: string;
  /** Undefined for an optional export that this system does not have. */
  find(name: FunctionName): NativeFunction | undefined;
  /** The code that the function returns. Throws `HttpSysError` 127 for an export that is missing. */
  call(name: FunctionName, ...values: NativeArgument[]): number;
  /** As `call`, for functions that must return 0: throws `HttpSysError` otherwise. */
  require(name: FunctionName, ...values: NativeArgument[]): void;
  system(name: SystemFunctionName, ...values: NativeArgument[]): number | bigint;
  /** Waits in another thread; `done` is told what it returned. */
  wait(port: bigint, entries: Memory, most: number, removed: Memory, timeout: number, done: () => void): void;
  /** Memory whose address stays what it is; it lives as long as the object: keep that until native code is done with it. */
  memory(size: number): Memory;
  /** The address of bytes that somebody else holds. */
  addressOf(bytes: Uint8Array): bigint;
  /** The reason that the double gave for its last refusal; undefined from the real library. */
  why(): string | undefined;
}

/** Bytes that stay where they are, with their address for the system. */
export interface Memory {
  readonly buffer: Buffer;
  readonly address: bigint;
}

export interface LibraryOptions {
  /** The library with the HTTP Server API. Default `httpapi.dll`, on Windows only. */
  readonly path?: string | undefined;
}

const nativeType: Readonly<Record<string, string>> = {
  u8: "uint8_t",
  u16: "uint16_t",
  u32: "uint32_t",
  u64: "uint64_t",
  i32: "int32_t",
  ptr: "void *",
};

const loaded = new Map<string, Promise<HttpSysLibrary>>();

/**
 * Loads the library, once for each path.
 *
 * @throws {HttpSysUnavailableError} (as rejection) elsewhere than on Windows without a path, in a 32-bit process, with a pool of
 * one thread (UV_THREADPOOL_SIZE), without koffi, or when a required export is missing.
 */
export function loadHttpSys({ path }: LibraryOptions = {}): Promise<HttpSysLibrary> {
  const lack = lackOf(path);
  if (lack !== undefined) return Promise.reject(new HttpSysUnavailableError(lack));
  const name = path ?? "httpapi.dll";
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const library = load(name);
  loaded.set(name, library);
  library.catch(() => loaded.delete(name));
  return library;
}

function lackOf(path: string | undefined): string | undefined {
  if (path === undefined && process.platform !== "win32") return `HTTP.sys is part of Windows; this is ${process.platform}`;
  if (process.arch !== "x64" && process.arch !== "arm64") return `HTTP.sys is called from 64-bit processes only; this Node is for ${process.arch}`;
  // libuv reads it so: what is no number is 0, and 0 is 1.
  const threads = process.env["UV_THREADPOOL_SIZE"];
  if (threads !== undefined && !(Number.parseInt(threads, 10) >= 2)) {
    return `HTTP.sys takes one thread of Node's pool for as long as it serves, and UV_THREADPOOL_SIZE=${threads} leaves none for files and names: set it to 2 or more, or not at all`;
  }
  return undefined;
}

async function load(path: string): Promise<HttpSysLibrary> {
  let koffi: Koffi;
  try {
    koffi = loadKoffi();
  } catch (cause) {
    throw new HttpSysUnavailableError("HTTP.sys needs the package koffi, which cannot be loaded: install it beside this one", { cause });
  }
  try {
    return bind(koffi, path);
  } catch (cause) {
    throw new HttpSysUnavailableError(`${path} cannot be used as the HTTP Server API: ${(cause as Error).message}`, { cause });
  }
}

function bind(koffi: Koffi, path: string): HttpSysLibrary {
  const main = koffi.load(path);
  const stdcall = process.platform === "win32" ? "__stdcall" : undefined;
  const define = (library: KoffiLibrary, name: string, result: string, types: readonly string[]): KoffiFunction => {
    const parameters = types.map((type) => nativeType[type] as string);
    return stdcall === undefined ? library.func(name, result, parameters) : library.func(stdcall, name, result, parameters);
  };

  const table = new Map<FunctionName, NativeFunction>();
  for (const [name, types] of Object.entries({ ...functions, ...furtherFunctions }) as [FunctionName, readonly string[]][]) {
    try {
      table.set(name, define(main, name, name === "HttpIsFeatureSupported" ? "int32_t" : "uint32_t", types));
    } catch (error) {
      if (!optional.has(name)) throw error;
    }
  }

  const system = new Map<SystemFunctionName, KoffiFunction>();
  for (const [name, [result, ...types]] of Object.entries(systemFunctions) as [SystemFunctionName, readonly [string, ...string[]]][]) {
    const resultType = nativeType[result] as string;
    try {
      system.set(name, define(main, name, resultType, types));
    } catch (error) {
      if (process.platform !== "win32") throw error;
      const owner = koffi.load(name === "RtlNtStatusToDosError" ? "ntdll.dll" : "kernel32.dll");
      system.set(name, define(owner, name, resultType, types));
    }
  }

  let explain: NativeFunction | undefined;
  try {
    explain = define(main, "HttpSim_Why", "uint32_t", ["ptr", "u32"]);
  } catch {
    explain = undefined;
  }

  const memory = (size: number): Memory => {
    // Of its own, never a part of Node's pool: native code asks for 8-byte alignment.
    const buffer = Buffer.allocUnsafeSlow(size).fill(0);
    return { buffer, address: koffi.address(buffer) };
  };

  const library: HttpSysLibrary = {
    path,
    find: (name) => table.get(name),
    call(name, ...values) {
      const called = table.get(name);
      if (called === undefined) throw new HttpSysError(name, errorCode.ERROR_PROC_NOT_FOUND, { hint: "this Windows does not have it" });
      return called(...values);
    },
    require(name, ...values) {
      const code = library.call(name, ...values);
      if (code !== 0) throw new HttpSysError(name, code, { detail: library.why() });
    },
    system: (name, ...values) => (system.get(name) as KoffiFunction)(...values),
    wait(port, entries, most, removed, timeout, done) {
      const wait = system.get("GetQueuedCompletionStatusEx") as KoffiFunction;
      // The closure is what keeps the two buffers alive.
      wait.async(port, entries.address, most, removed.address, timeout, 0, () => {
        if (entries.buffer.length > 0 && removed.buffer.length > 0) done();
      });
    },
    memory,
    addressOf: (bytes) => (bytes.length === 0 ? 0n : koffi.address(bytes)),
    why() {
      if (explain === undefined) return undefined;
      const text = memory(512);
      explain(text.buffer, 512);
      return text.buffer.toString("latin1", 0, text.buffer.indexOf(0));
    },
  };
  return library;
}

/** Text as the API takes it: UTF-16LE with its NUL. */
export function wideText(library: HttpSysLibrary, text: string): Memory {
  const memory = library.memory(text.length * 2 + 2);
  memory.buffer.write(text, 0, "utf16le");
  return memory;
}
