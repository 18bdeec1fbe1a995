import { Check } from 'lucide-react';
import { DropdownMenu as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

import { classes } from '@/lib/classes';

interface MenuProps {
  /** The button that opens it. */
  trigger: ReactNode;
  align?: 'start' | 'end';
  children: ReactNode;
}

export function Menu({ trigger, align = 'end', children }: MenuProps) {
  return (
    // Not modal: a menu that hides the page from assistive technology leaves its links focusable behind it. Not in a portal: it
    // stays in the landmark of its button.
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Content
        align={align}
        sideOffset={6}
        collisionPadding={8}
        className="z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-52 max-w-80 animate-enter overflow-y-auto rounded-card border border-border bg-surface p-1 shadow-float"
      >
        {children}
      </Radix.Content>
    </Radix.Root>
  );
}

const ITEM =
  'flex min-h-8 cursor-pointer items-center gap-2.5 rounded-control px-2 text-body text-text outline-none select-none ' +
  'data-[highlighted]:bg-sunken data-[disabled]:cursor-not-allowed data-[disabled]:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-subtle';

interface MenuItemProps {
  icon?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
}

export const MenuItem = ({ icon, danger = false, disabled = false, onSelect, children }: MenuItemProps) => (
  <Radix.Item disabled={disabled} onSelect={onSelect} className={classes(ITEM, danger && 'text-danger [&_svg]:text-danger')}>
    {icon}
    {children}
  </Radix.Item>
);

interface MenuCheckProps {
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
}

/** One of several that may be chosen together. */
export const MenuCheck = ({ checked, disabled = false, onChange, children }: MenuCheckProps) => (
  <Radix.CheckboxItem checked={checked} disabled={disabled} onCheckedChange={onChange} className={ITEM}>
    <span className="grid size-4 shrink-0 place-items-center rounded-[3px] border border-border-strong">
      <Radix.ItemIndicator>
        <Check className="text-accent!" />
      </Radix.ItemIndicator>
    </span>
    <span className="min-w-0 flex-1">{children}</span>
  </Radix.CheckboxItem>
);

/** An item that is a link: `<MenuLink><Link to=…>…</Link></MenuLink>`. */
export const MenuLink = ({ children }: { children: ReactNode }) => (
  <Radix.Item asChild className={ITEM}>
    {children}
  </Radix.Item>
);

export const MenuLabel = ({ children }: { children: ReactNode }) => <Radix.Label className="px-2 pt-2 pb-1 text-caption text-subtle">{children}</Radix.Label>;

export const MenuSeparator = () => <Radix.Separator className="-mx-1 my-1 h-px bg-border" />;

interface MenuChoicesProps<Value extends string> {
  value: Value;
  options: readonly { value: Value; label: ReactNode; icon?: ReactNode }[];
  onChange: (value: Value) => void;
}

/** One of several, the chosen one ticked. */
export function MenuChoices<Value extends string>({ value, options, onChange }: MenuChoicesProps<Value>) {
  return (
    <Radix.RadioGroup value={value}>
      {options.map((option) => (
        <Radix.RadioItem key={option.value} value={option.value} className={ITEM} onSelect={() => onChange(option.value)}>
          {option.icon}
          <span className="min-w-0 flex-1 truncate">{option.label}</span>
          <Radix.ItemIndicator>
            <Check className="text-accent!" />
          </Radix.ItemIndicator>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}
