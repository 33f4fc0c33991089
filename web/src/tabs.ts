/** Which of GraphiQL's tabs is open, for what must know when it is left. */

interface TabsState {
  activeTabIndex: number;
  tabs: { id: string }[];
}

export class OpenTab {
  private id: string | undefined;
  private readonly leaving = new Set<() => void>();

  /** GraphiQL's `onTabChange`: it also calls this when only the contents change. */
  readonly onTabChange = ({ activeTabIndex, tabs }: TabsState): void => {
    const id = tabs[activeTabIndex]?.id;
    if (id === this.id) return;
    this.id = id;
    const left = [...this.leaving];
    this.leaving.clear();
    for (const leave of left) leave();
  };

  /** Calls `leave` once, when another tab is opened; returns what cancels that. */
  onLeave(leave: () => void): () => void {
    this.leaving.add(leave);
    return () => this.leaving.delete(leave);
  }
}
