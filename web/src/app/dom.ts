// Finds and makes elements of the page. Text is set only as text, never as markup.

export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  content: string | readonly (Node | string)[] = '',
  className = '',
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (typeof content === 'string') made.textContent = content;
  else made.append(...content);
  if (className !== '') made.className = className;
  return made;
}

export interface Choice {
  value: string;
  text: string;
  title?: string;
}

/** Offers `choices`. Does not touch the list if they are the same, because the list may be open. */
export function fill(select: HTMLSelectElement, choices: readonly Choice[], value: string): void {
  const isSame =
    select.options.length === choices.length &&
    choices.every(
      (choice, at) => select.options[at]?.text === choice.text && select.options[at]?.value === choice.value,
    );
  if (!isSame) {
    select.replaceChildren(
      ...choices.map((choice) => {
        const option = new Option(choice.text, choice.value);
        if (choice.title !== undefined) option.title = choice.title;
        return option;
      }),
    );
  }
  select.value = value;
}
