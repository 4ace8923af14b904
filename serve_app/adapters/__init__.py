"""One file per technology. Each implements a protocol of `serve_app.ports` and turns foreign errors into ours."""
