const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\//, 'Firefox'],
  [/\bChrom(e|ium)\//, 'Chrome'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
];

const SYSTEMS: readonly [RegExp, string][] = [
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

const first = (agent: string, among: readonly [RegExp, string][]) => among.find(([pattern]) => pattern.test(agent))?.[1];

/** What a person would call the program that sends this `User-Agent`; browsers all claim to be each other. */
export function deviceName(agent: string): string {
  const browser = first(agent, BROWSERS);
  if (!browser) return agent || 'Unknown program';
  const system = first(agent, SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}
