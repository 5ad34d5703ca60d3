vcl 4.1;
# Varnish, set up as well as we know how; servers.go says how it is started. The built-in VCL
# follows and does the rest. {{"{{.Origin}}"}} is filled in by bench/.

backend origin {
	.host = "127.0.0.1";
	.port = "{{.Origin}}";
}
{{- if not .Cache}}

sub vcl_recv {
	return (pass);
}
{{- end}}
