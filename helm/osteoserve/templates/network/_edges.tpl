{{/* Egress rules that more than one policy has. */}}
{{- define "osteoserve.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
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
