import type { LogLevel, ProxyLogger } from "@proxy/pipeline";

export interface RecordedEvent {
  readonly level: LogLevel;
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that keeps what it is told. */
export class RecordedEvents implements ProxyLogger {
  readonly events: RecordedEvent[] = [];

  event(level: LogLevel, name: string, fields: Readonly<Record<string, unknown>>): void {
    this.events.push({ level, name, fields });
  }

  named(name: string): readonly RecordedEvent[] {
    return this.events.filter((each) => each.name === name);
  }
}
