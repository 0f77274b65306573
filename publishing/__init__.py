"""What `publishing.publish` is made of: one version of a domain's marts after another."""
