"""What the control plane says about itself: version, addresses and health."""
