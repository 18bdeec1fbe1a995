import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Building2, LogOut, Monitor, Moon, ShieldCheck, Sun } from 'lucide-react';

import { api, call } from '@/api/client';
import { useMe } from '@/api/session';
import { forgetKept } from '@/lib/kept';
import { chooseTheme, type ThemeChoice, useThemeChoice } from '@/lib/theme';
import { Menu, MenuChoices, MenuItem, MenuLabel, MenuSeparator } from '@/ui/Menu';
import { toast } from '@/ui/toast';

const THEMES: readonly { value: ThemeChoice; label: string; icon: React.ReactNode }[] = [
  { value: 'light', label: 'Light', icon: <Sun aria-hidden /> },
  { value: 'dark', label: 'Dark', icon: <Moon aria-hidden /> },
  { value: 'system', label: 'As the system', icon: <Monitor aria-hidden /> },
];

export function AccountMenu() {
  const { user } = useMe();
  const theme = useThemeChoice();
  const logOut = useLogOut();
  const navigate = useNavigate();
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={`Account of ${user.name}`}
          className="grid size-8 place-items-center rounded-full bg-accent-soft text-caption font-semibold text-accent hover:brightness-95"
        >
          {initials(user.name || user.email)}
        </button>
      }
    >
      <div className="px-2 pt-1.5 pb-2">
        <p className="truncate text-label">{user.name}</p>
        <p className="truncate text-caption text-subtle">{user.email}</p>
      </div>
      <MenuItem icon={<ShieldCheck aria-hidden />} onSelect={() => void navigate({ to: '/account' })}>
        Account
      </MenuItem>
      <MenuItem icon={<Building2 aria-hidden />} onSelect={() => void navigate({ to: '/organizations' })}>
        Organizations
      </MenuItem>
      <MenuSeparator />
      <MenuLabel>Theme</MenuLabel>
      <MenuChoices value={theme} options={THEMES} onChange={chooseTheme} />
      <MenuSeparator />
      <MenuItem icon={<LogOut aria-hidden />} onSelect={() => void logOut()}>
        Log out
      </MenuItem>
    </Menu>
  );
}

function useLogOut(): () => Promise<void> {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return async () => {
    try {
      await call(api.POST('/api/v1/auth/logout'));
    } catch (error) {
      return toast.problem(error);
    }
    forgetKept();
    await navigate({ to: '/login' });
    queryClient.clear();
  };
}

function initials(name: string): string {
  const words = name.trim().split(/[\s@.]+/);
  const last = words.length > 1 ? words.at(-1) : undefined;
  return [words[0], last].map((word) => word?.[0] ?? '').join('').toUpperCase();
}
