/** Goes to a page of another site. */
export const leave = (url: string): void => location.assign(url);
