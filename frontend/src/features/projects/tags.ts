/** Tags as people type them: words with commas or spaces between, in small letters. */

export const MOST_TAGS = 20;

export const tagsIn = (text: string): string[] => [...new Set(text.toLowerCase().split(/[\s,;]+/).filter(Boolean))];

/** True, or what is to be mended. */
export function checkTags(text: string): true | string {
  const tags = tagsIn(text);
  const unfit = tags.filter((it) => !/^[a-z0-9][a-z0-9._:/=-]{0,31}$/.test(it));
  if (unfit.length > 0) return `No tag: ${unfit.join(', ')}. Use letters, digits and . _ : / = -, 32 at most.`;
  return tags.length <= MOST_TAGS || `At most ${MOST_TAGS} tags.`;
}
