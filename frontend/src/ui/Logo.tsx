/** The mark: water on its way to the turbine. */
export const Logo = ({ className = 'size-7' }: { className?: string }) => (
  <svg viewBox="0 0 32 32" aria-hidden className={className}>
    <rect width="32" height="32" rx="7" className="fill-accent" />
    <path
      d="M5 11c3.700 0 3.700 3 7.400 3s3.700-3 7.400-3 3.700 3 7.200 3M5 18.500c3.700 0 3.700 3 7.400 3s3.700-3 7.400-3 3.700 3 7.200 3"
      className="fill-none stroke-on-accent"
      strokeWidth="2.600"
      strokeLinecap="round"
    />
  </svg>
);
