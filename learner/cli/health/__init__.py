"""What `learner doctor` looks at, a file a topic. `packages` comes first: it tells whether the rest is ours."""
