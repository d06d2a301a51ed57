{{/* What every pod of the chart has in common. */}}

{{/* Takes the root. Restricted Pod Security; OpenShift wants the ids left out: set them to null. */}}
{{- define "osteoserve.podSecurity" -}}
automountServiceAccountToken: false
# A Service "osteoserve" would set OSTEOSERVE_PORT=tcp://…, which the front reads as its port.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- range $key := list "runAsUser" "runAsGroup" "fsGroup" }}
  {{- /* Helm takes a value that was set to null away; get would make 0, root, of it. */}}
  {{- with get $.Values.security $key }}
  {{ $key }}: {{ int64 . }}
  {{- end }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- $global := .Values.global | default dict }}
{{- with concat (.Values.imagePullSecrets | default list) ($global.imagePullSecrets | default list) | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "osteoserve.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Takes (dict "root" $ "name" COMPONENT "values" MERGED). */}}
{{- define "osteoserve.scheduling" -}}
{{- $selector := include "osteoserve.selector" . }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $priority := .values.priorityClassName }}
{{- if and (not $priority) .root.Values.priorityClass.create }}
{{- $priority = include "osteoserve.fullname" .root }}
{{- end }}
{{- with $priority }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- $spread := list }}
{{- range $key, $topology := dict "host" "kubernetes.io/hostname" "zone" "topology.kubernetes.io/zone" }}
{{- $when := get $.values.topologySpread $key }}
{{- if and $when (ne $when "none") }}
{{- $spread = append $spread (dict "topologyKey" $topology "whenUnsatisfiable" $when) }}
{{- end }}
{{- end }}
{{- with $spread }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ .topologyKey }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    maxSkew: 1
    # A rollout's new pods are spread among themselves, not against those that leave.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The pause between a pod's leaving the endpoints and its SIGTERM. Takes MERGED values. */}}
{{- define "osteoserve.preStop" -}}
lifecycle:
  preStop:
    sleep:
      seconds: {{ .preStopSeconds }}
{{- end }}

{{/* Three probes with three jobs: start has patience, ready is quick to doubt, live is slow to kill.
     Takes (dict "values" MERGED "startup" PATH "ready" PATH "live" PATH). */}}
{{- define "osteoserve.probes" -}}
startupProbe:
  httpGet: {path: {{ .startup }}, port: http}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: {{ divf .values.startupSeconds 2 | ceil | int }}
readinessProbe:
  httpGet: {path: {{ .ready }}, port: http}
  periodSeconds: 5
  timeoutSeconds: 6
  failureThreshold: 2
livenessProbe:
  httpGet: {path: {{ .live }}, port: http}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}

{{/* Metadata of a component's pods. Takes (dict "root" $ "name" COMPONENT "values" MERGED). */}}
{{- define "osteoserve.podMetadata" -}}
labels:
  {{- include "osteoserve.labels" . | nindent 2 }}
  {{- if eq .name "front" }}
  osteoserve/accounts: "true"
  {{- end }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # Pods read their settings once, so another configuration means other pods.
  checksum/config: {{ toJson (.values.settings | default dict) | sha256sum }}
  {{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Replicas are the autoscaler's where there is one. Takes MERGED values. */}}
{{- define "osteoserve.replicas" -}}
{{- if eq .autoscaling.kind "none" }}
replicas: {{ .replicas }}
{{- end }}
{{- end }}
