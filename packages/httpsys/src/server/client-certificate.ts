import type { ClientCertificateFeature } from "@proxy/http";
import { errorCode } from "../abi/constants.ts";
import { structs } from "../abi/structs.ts";
import type { HttpSysLibrary, Memory } from "../binding.ts";
import type { PendingCall } from "../completions.ts";
import { certificateSize, decodeCertificate } from "../decode-tls.ts";
import { HttpSysError } from "../errors.ts";
import type { ConnectionId } from "../handles.ts";
import type { Listening } from "../listening.ts";
import type { HttpSysTlsInfo } from "./tls-facts.ts";

type Told = Parameters<ClientCertificateFeature["receive"]>[0];

const infoSize = structs.HTTP_SSL_CLIENT_CERT_INFO.size;
const usualSize = infoSize + 4096;
/** More than any chain that a client would send in a handshake. */
const largestSize = 1 << 20;

/** Certificates may be mapped to accounts of Windows (`netsh http add sslcert dsmapperusage=enable`): each time one is told, so is a token of that account, to be closed. */
export function closeToken(library: HttpSysLibrary, of: { readonly token: bigint } | undefined): void {
  if (of !== undefined && of.token !== 0n) library.system("CloseHandle", of.token);
}

/** Asks a client for its certificate, once for a connection however often it is wanted. */
export class ClientCertificate implements ClientCertificateFeature, PendingCall {
  readonly #listening: Listening;
  readonly #connection: ConnectionId;
  readonly #tls: HttpSysTlsInfo;
  #memory: Memory | undefined;
  #waiting: Told[] = [];
  #over: boolean;
  #error: Error | undefined;

  constructor(listening: Listening, connection: ConnectionId, tls: HttpSysTlsInfo) {
    this.#listening = listening;
    this.#connection = connection;
    this.#tls = tls;
    this.#over = tls.clientCertificate !== undefined;
  }

  receive(done: Told): void {
    if (this.#over) {
      done(this.#tls.clientCertificate, this.#error);
      return;
    }
    this.#waiting.push(done);
    if (this.#waiting.length > 1) return;
    this.#memory = this.#listening.library.memory(usualSize);
    this.#listening.completions.submit(this);
  }

  start(overlapped: bigint): number {
    const { library, queue } = this.#listening;
    const { address, buffer } = this.#memory as Memory;
    return library.call("HttpReceiveClientCertificate", queue, this.#connection, 0, address, buffer.length, 0n, overlapped);
  }

  completed(code: number): void {
    const { address, buffer } = this.#memory as Memory;
    if (code === errorCode.ERROR_MORE_DATA && certificateSize(buffer) > buffer.length && certificateSize(buffer) <= largestSize) {
      this.#memory = this.#listening.library.memory(certificateSize(buffer));
      this.#listening.completions.submit(this);
      return;
    }
    this.#memory = undefined;
    if (code === 0) {
      try {
        const received = decodeCertificate(buffer, address);
        closeToken(this.#listening.library, received);
        this.#tls.clientCertificate = received?.bytes;
        this.#tls.clientCertificateAuthorized = received?.isValid === true;
      } catch (error) {
        this.#error = error as Error;
      }
    } else if (code !== errorCode.ERROR_NOT_FOUND) this.#error = new HttpSysError("HttpReceiveClientCertificate", code);
    this.#over = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done(this.#tls.clientCertificate, this.#error);
  }
}
