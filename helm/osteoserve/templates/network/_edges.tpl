{{/* Egress rules that more than one policy has. */}}
{{- define "osteoserve.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end }}

{{/* No peers: any address, on the database's port alone. Most PostgreSQLs stand outside the cluster. */}}
{{- define "osteoserve.database" -}}
- ports:
    - port: {{ .Values.networkPolicy.databasePort }}
  {{- with .Values.networkPolicy.database }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
