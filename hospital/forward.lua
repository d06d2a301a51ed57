-- Orthanc sends on what it stores, and never what the gateway has put there: its own AE title is
-- what tells.
function OnStoredInstance(instanceId, tags, metadata, origin)
   if origin['RemoteAet'] ~= 'OSTEOSERVE' then
      SendToModality(instanceId, 'gateway')
   end
end
