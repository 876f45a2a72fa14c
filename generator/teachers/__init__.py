"""Ways to reach a teacher. Each implements `generator.reply.Teacher`."""
