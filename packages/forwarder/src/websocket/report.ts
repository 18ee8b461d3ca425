/** Who ended a WebSocket, and how: the first Close decides, else the first side that left. YARP's names, and GatewayShutdown. */
export type WebSocketCloseReason =
  | "Unknown"
  | "ClientGracefulClose"
  | "ServerGracefulClose"
  | "ClientDisconnect"
  | "ServerDisconnect"
  | "ActivityTimeout"
  /** The gateway told both sides that it goes away. */
  | "GatewayShutdown";

/** What a WebSocket carried, told when it is over. */
export interface WebSocketReport {
  /** Wall clock at the upgrade, in milliseconds since 1970. */
  readonly established: number;
  /** Milliseconds from the upgrade to the end. */
  readonly duration: number;
  readonly closeReason: WebSocketCloseReason;
  /** The code of the first Close (RFC 6455, 7.4); undefined when none came, or it had none. */
  readonly closeCode: number | undefined;
  /** What the first Close says beside its code. From a peer: not to be trusted. */
  readonly closeText: string | undefined;
  /** Whole messages from the client. */
  readonly messagesRead: number;
  /** Whole messages to the client. */
  readonly messagesWritten: number;
  /** Bytes from the client, frame headers included. */
  readonly bytesRead: number;
  /** Bytes to the client, frame headers included. */
  readonly bytesWritten: number;
}
