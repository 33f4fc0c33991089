/** The newest message for the user that belongs to no failed operation. */

export interface Notice {
  text: string;
  at: Date;
}

export class Notices {
  private notice: Notice | null = null;
  private readonly listeners = new Set<() => void>();

  readonly current = (): Notice | null => this.notice;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  show(text: string): void {
    this.become({ text, at: new Date() });
  }

  dismiss(): void {
    this.become(null);
  }

  private become(notice: Notice | null): void {
    this.notice = notice;
    for (const listener of this.listeners) listener();
  }
}
