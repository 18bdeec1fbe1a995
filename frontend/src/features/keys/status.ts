import type { Key } from '@/api/types';
import type { Tone } from '@/ui/StatusPill';

const SOON_MS = 14 * 86_400_000;

export interface KeyStatus {
  word: 'Active' | 'Expires soon' | 'Expired' | 'Revoked';
  tone: Tone;
  /** Whether gateways still take the key. */
  works: boolean;
}

export function statusOf(key: Key, now: number): KeyStatus {
  if (key.revoked_at) return { word: 'Revoked', tone: 'neutral', works: false };
  const left = key.expires_at ? new Date(key.expires_at).getTime() - now : Infinity;
  if (left <= 0) return { word: 'Expired', tone: 'neutral', works: false };
  if (left < SOON_MS) return { word: 'Expires soon', tone: 'warn', works: true };
  return { word: 'Active', tone: 'ok', works: true };
}
